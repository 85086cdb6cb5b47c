"""`python -m mockface` is the command `mockface`."""

from mockface.extras import needs


def run() -> None:
    """Runs the command; without click it names the remedy."""
    try:
        with needs("mock"):
            from mockface.cli import main  # noqa: PLC0415 - see above
    except ModuleNotFoundError as missing:
        raise SystemExit(f"Error: {missing}") from None
    main(prog_name="mockface")


if __name__ == "__main__":
    run()
