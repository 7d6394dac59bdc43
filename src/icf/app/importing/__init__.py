"""`icf import`: labelled pictures of others, as the answers of their source."""
