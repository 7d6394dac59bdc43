"""Steps, the runner that feeds them, and the engines that run them."""
