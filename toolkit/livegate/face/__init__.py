"""The port to the Face service (:mod:`livegate.face.base`) and what stands behind it."""
