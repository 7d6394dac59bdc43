"""Every connection of the harvest: guarded addresses, robots.txt, bodies."""
