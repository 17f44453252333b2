/** Starts the built-in app, under a quiesce primary or alone. */
import { listen } from '../index.ts';
import { builtInApp } from './app/app.ts';
import { getRuntime } from './process/runtime.ts';

const settings = await getRuntime().settings;
listen(builtInApp(settings));
