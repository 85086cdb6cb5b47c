"""What was asked and answered: kept, shown without secrets, held to, recorded and sent again."""
