"""How the data set came to be: funnel, filter, measures, answers, rounds."""
