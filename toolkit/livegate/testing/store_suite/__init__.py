"""The parts of :class:`livegate.testing.StoreContract`, one file for each kind of promise."""

import pytest

# Before any of them is imported: a failed assert then shows what it compared.
pytest.register_assert_rewrite(
    *(
        f"{__name__}.{part}"
        for part in ("closing", "finding", "forgetting", "keeping", "looking_after", "racing")
    ),
)
