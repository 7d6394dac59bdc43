"""Export questions to annotators, import their answers, derive labels."""
