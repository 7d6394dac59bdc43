
# ---- what the tests add to the settings that the installer wrote ----
wfLoadExtension( 'Cite' );
wfLoadExtension( 'PageImages' );
$wgEnableUploads = true;
$wgUploadPath = '/images';
$wgUploadDirectory = '@ROOT@/docroot/images';
$wgCacheDirectory = '@ROOT@/cache';
$wgMainCacheType = CACHE_NONE;
$wgMessageCacheType = CACHE_NONE;
$wgParserCacheType = CACHE_NONE;
$wgSessionCacheType = CACHE_DB;
$wgJobRunRate = 0;
$wgFileExtensions = [ 'png', 'gif', 'jpg', 'jpeg', 'webp' ];
$wgUseImageMagick = false;
$wgGenerateThumbnailOnParse = false;
$wgShowExceptionDetails = true;

# Throw-away data: SQLite need not wait for the disk.
$wgDBservers = [ [
	'type' => 'sqlite', 'dbname' => 'wiki', 'tablePrefix' => '', 'dbDirectory' => '@ROOT@/db',
	'trxMode' => 'IMMEDIATE', 'flags' => 0, 'load' => 1,
	'variables' => [ 'synchronous' => 'OFF' ],
] ];
$wgObjectCaches[CACHE_DB]['server']['variables']['synchronous'] = 'OFF';
$wgLocalisationCacheConf['storeServer']['variables']['synchronous'] = 'OFF';
$wgJobTypeConf['default']['server']['variables']['synchronous'] = 'OFF';

# Seconds written into the file `lag` are the lag that this wiki reports: a request with a
# smaller maxlag then gets MediaWiki's own error on HTTP 200, with Retry-After.
$wgHooks['ApiMaxLagInfo'][] = function ( &$lagInfo ) {
	if ( is_file( '@ROOT@/lag' ) ) {
		$seconds = (float)file_get_contents( '@ROOT@/lag' );
		$lagInfo = [ 'host' => 'test', 'lag' => $seconds, 'type' => 'db' ];
	}
};

# Debian has no package of the extension that reads licences on Wikimedia Commons; through
# the same hook of the core, {{License|name|url|author}} on a file's page becomes
# LicenseShortName, LicenseUrl and Artist.
$wgHooks['GetExtendedMetadata'][] = function ( &$meta, $file, $context, $single, &$maxCache ) {
	$page = MediaWiki\MediaWikiServices::getInstance()
		->getWikiPageFactory()->newFromTitle( $file->getTitle() );
	$content = $page->getContent();
	$text = $content ? $content->getText() : '';
	if ( preg_match( '/\{\{License\|([^|}]*)\|([^|}]*)\|([^|}]*)\}\}/', $text, $found ) ) {
		$names = [ 'LicenseShortName', 'LicenseUrl', 'Artist' ];
		foreach ( $names as $index => $name ) {
			$meta[$name] = [ 'value' => $found[$index + 1], 'source' => 'commons-desc-page' ];
		}
	}
	return true;
};
