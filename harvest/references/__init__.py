"""The picture that each character is compared by."""
