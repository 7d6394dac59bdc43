"""Is this face this character? Pairs and grids, and the questions behind them."""
