"""Comics: pages out of CBZ, CBR, PDF and EPUB files."""
