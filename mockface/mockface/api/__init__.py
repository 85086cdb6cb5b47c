"""The emulated API: models, requests and answers by version, over one engine.

`previews` and `released` have what two versions share; `v1_1`, `v1_2_preview` and `v1_3` have the
models of one. `mockface.operations` has the table of what is served.
"""
