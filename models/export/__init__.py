"""Other files of a model that is there already: with numbers of eight bits."""
