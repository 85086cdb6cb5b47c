"""The command as a whole: what is said when it cannot run."""

from __future__ import annotations

import subprocess
import sys


def test_without_the_extra_the_remedy_is_named() -> None:
    # Given an interpreter without the packages of the extra `mock`
    code = (
        "import sys\n"
        "sys.modules['cryptography'] = None\n"
        "from mockface.cli import main\n"
        "sys.exit(main(['serve', '--port', '0']))\n"
    )

    # When the command is tried
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    # Then it says in a line what to install
    assert done.returncode == 2
    assert "pip install 'livegate[mock]'" in done.stderr
    assert "Traceback" not in done.stderr
