"""An offline emulator of the session API of Azure AI Face."""
