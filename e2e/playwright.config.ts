import { defineConfig } from '@playwright/test'

export default defineConfig({
  testDir: 'tests',
  globalSetup: './support/page-server.ts',
  // Each test starts relays and several pages of its own; more at once would only disturb each other.
  workers: 1,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  reporter: process.env.CI ? [['list']] : [['list'], ['html', { open: 'never' }]],
  use: {
    browserName: 'chromium',
    trace: 'retain-on-failure',
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: process.env.SKEIN_CHROMIUM!,
      args: [
        // Chromium's sandbox does not work for root, which is what CI and containers often are.
        ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
        // Nothing here may reach for the network outside this machine.
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--disable-quic',
        '--no-first-run',
      ],
    },
  },
})
