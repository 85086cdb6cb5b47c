"""The parts of :class:`livegate.testing.StoreContract`, one file for each kind of promise."""

from livegate.testing.store_suite.closing import Closing
from livegate.testing.store_suite.finding import Finding
from livegate.testing.store_suite.forgetting import Forgetting
from livegate.testing.store_suite.keeping import Keeping
from livegate.testing.store_suite.looking_after import LookingAfter
from livegate.testing.store_suite.racing import Racing

__all__ = ["Closing", "Finding", "Forgetting", "Keeping", "LookingAfter", "Racing"]
