"""`icf-evaluate`: scores of recognisers and detectors, one command a file."""
