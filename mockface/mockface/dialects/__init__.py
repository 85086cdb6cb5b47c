"""One file per version of the API, over one engine."""

from __future__ import annotations

from mockface.dialects import v1_2, v1_2_preview_1

DIALECTS = (v1_2_preview_1.DIALECT, v1_2.DIALECT)
"""All versions that are served, oldest first."""
