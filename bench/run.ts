/** `npm run bench` measures requests, `npm run bench -- repair` what it takes to make owners equal again. Each is a program by itself. */
if (process.argv[2] === 'repair') await import('./repair/main.ts');
else await import('./requests.ts');
