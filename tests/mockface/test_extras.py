"""Without the packages of an extra, every door into the emulator names the remedy."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.process
@pytest.mark.parametrize(
    ("missing", "code", "extras"),
    [
        ("jwt", "from mockface import Mockface", "mock"),
        ("jwt", "import mockface; mockface.Mockface", "mock"),
        ("flask", "import mockface.app", "mock"),
        ("cryptography", "import mockface; mockface.Mockface(tls=True).listen()", "mock,tls"),
        ("flask", "import mockface; mockface.Mockface().app", "mock"),
        ("PIL", "from mockface.images import portrait; portrait(1)", "mock"),
        ("faker", "from mockface.people import person; person(1)", "mock"),
        ("requests", "import mockface.transport", "mock,azure"),
        ("azure", "import mockface.transport", "mock,azure"),
    ],
)
def test_what_is_not_installed_is_named_with_the_remedy(
    missing: str, code: str, extras: str
) -> None:
    program = f"import sys; sys.modules[{missing!r}] = None; {code}"

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )

    said = done.stderr.splitlines()[-1]
    assert said.startswith(f"ModuleNotFoundError: {missing}")
    assert said.endswith(f" is not installed; run: pip install 'livegate[{extras}]'")


def test_an_unknown_name_is_no_missing_package() -> None:
    with pytest.raises(ImportError, match="cannot import name 'nothing'"):
        from mockface import nothing  # noqa: F401
