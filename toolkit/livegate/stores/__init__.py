"""Where sessions are kept: the contract (:mod:`livegate.stores.base`) and the built-in stores."""

from livegate.stores.uri import open_builtin

__all__ = ["open_builtin"]
