/** The page: one event stream in, one model, every panel drawn from it. */
import { Actions } from './orders/actions.ts';
import { Arrival } from './place/arrival.ts';
import { apply, emptyModel, presentRun, type Model } from './live/model.ts';
import { Navigation } from './place/navigation.ts';
import { EventStream } from './live/stream.ts';
import { Token } from './orders/token.ts';
import { showHeadline, type Connection } from './now/view-headline.ts';
import { LogView } from './history/view-log.ts';
import { PausesView } from './history/view-pauses.ts';
import { showRun } from './runs/view-run.ts';
import { RunsView } from './runs/view-runs.ts';
import { showSources } from './now/view-sources.ts';
import { showTiles } from './now/view-tiles.ts';
import { TrafficPlot } from './history/view-traffic.ts';
import { showHosts } from './now/view-hosts.ts';
import { showWorkers } from './now/view-workers.ts';

const url = '/api/events?detail=true';
/** A sample comes each second. Without any event for this long, the page marks its data as old, ms. */
const quiet = 3_500;

let model: Model = emptyModel;
let connection: Connection = { state: 'connecting', lastData: null };
let drawing = false;

const token = new Token(isToken);
const stream = new EventStream(url, token.value, {
  event(event) {
    model = apply(model, event, Date.now());
    connection = { state: 'live', lastData: Date.now() };
    // A token of an earlier data directory: the page must not show it as valid.
    if (event.type === 'history' && !model.trusted && token.value !== null) token.forget();
    draw();
  },
  lost() {
    connection = { ...connection, state: 'lost' };
    draw();
  },
});
const navigation = new Navigation(draw);
const arrival = new Arrival(navigation);
const actions = new Actions(token, () => stream.restart(token.value));
const traffic = new TrafficPlot(draw);
const pauses = new PausesView(navigation, draw);
const runs = new RunsView(navigation, draw);
const log = new LogView(navigation);

/** Draws at most once per frame, however many events come. For a hidden page, only the title matters. */
function draw(): void {
  if (drawing) return;
  drawing = true;
  const paint = (): void => {
    drawing = false;
    show();
  };
  if (document.hidden) setTimeout(paint, 250);
  else requestAnimationFrame(paint);
}

function show(): void {
  const now = Date.now() + model.clockOffset;
  const live = connection.state === 'live';
  showHeadline(model, connection, now);
  actions.show(live ? model.status : null, model.trusted, now);
  if (document.hidden) return;
  showRun(live ? presentRun(model) : null, now);
  showTiles(model, now);
  traffic.show(model);
  pauses.show(model, now);
  showHosts(model);
  showWorkers(model, navigation);
  showSources(model, now);
  runs.show(model, now);
  log.show(model);
  arrival.show(model);
}

setInterval(() => {
  const { state, lastData } = connection;
  if (state === 'live' && lastData !== null && Date.now() - lastData > quiet) connection = { state: 'lost', lastData };
  draw();
}, 1_000);
document.addEventListener('visibilitychange', draw);
addEventListener('pagehide', () => stream.close());
addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload();
});

/** Reads the start of an event stream: its history shows whether the token is valid. */
function isToken(candidate: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = new EventStream(url, candidate, {
      event({ type, data }) {
        if (type !== 'history') return;
        probe.close();
        resolve((JSON.parse(data) as { trusted: boolean }).trusted);
      },
      lost() {
        probe.close();
        reject(new Error('The primary cannot be reached.'));
      },
    });
  });
}
