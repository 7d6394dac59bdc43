"""SVG drawings, and the plots that are made of them."""
