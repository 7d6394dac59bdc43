"""What train and test share and must not: searched, by code of its own."""
