"""Where sessions are kept: the contract (:mod:`livegate.stores.base`) and the built-in stores."""
