"""The control API under `/_mock`: `api` has the calls, one file for each family of them."""
