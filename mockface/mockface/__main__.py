"""`python -m mockface` is the command `mockface`."""

from mockface.cli import main

raise SystemExit(main())
