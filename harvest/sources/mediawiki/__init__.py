"""MediaWiki: any site with an ``api.php``."""
