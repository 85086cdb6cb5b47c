"""One file per version of the API, over one engine.

`previews` and `released` have what two versions share; a version's own file has its rows.
"""

from __future__ import annotations

from mockface.dialects import v1_1_preview_1, v1_2, v1_2_preview_1, v1_3_preview_1

DIALECTS = (
    v1_1_preview_1.DIALECT,
    v1_2_preview_1.DIALECT,
    v1_2.DIALECT,
    v1_3_preview_1.DIALECT,
)
"""All versions that are served, oldest first."""
