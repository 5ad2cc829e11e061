"""Teaching new classes: nearest neighbours, trained heads, and the pictures for both."""
