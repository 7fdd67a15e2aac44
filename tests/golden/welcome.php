<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>shop.example</title>
<style>
:root { color-scheme: light dark; font: 1rem/1.6 system-ui, sans-serif; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; }
main { max-width: 34rem; padding: 2rem; }
h1 { margin: 0 0 .25rem; font-size: 1.75rem; line-height: 1.25; overflow-wrap: anywhere; }
p { margin: .5rem 0; }
code { font: .9em ui-monospace, monospace; }
</style>
<main>
<h1>shop.example</h1>
<p>PHP <?= PHP_MAJOR_VERSION . '.' . PHP_MINOR_VERSION ?> runs here.</p>
<p>Replace <code>htdocs/index.php</code> to show your own page.</p>
</main>
</html>
