"""The pages of `icf-report`."""
