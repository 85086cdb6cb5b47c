"""What was asked and answered: kept, shown without secrets, compared with expectations."""
