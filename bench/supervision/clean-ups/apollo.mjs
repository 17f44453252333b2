import { createServer } from 'node:http';
import { ApolloServer } from '@apollo/server';
import { ApolloServerPluginDrainHttpServer } from '@apollo/server/plugin/drainHttpServer';
import { expressMiddleware } from '@as-integrations/express5';
import express from 'express';
import { port, tidy } from './common.mjs';

const app = express();
const httpServer = createServer(app);
const atTheEnd = { serverWillStart: async () => ({ serverWillStop: tidy }) };
const apollo = new ApolloServer({
  typeDefs: 'type Query { hello: String }',
  resolvers: { Query: { hello: () => 'hello' } },
  plugins: [ApolloServerPluginDrainHttpServer({ httpServer }), atTheEnd],
  stopOnTerminationSignals: true,
});
await apollo.start();
app.use('/graphql', express.json(), expressMiddleware(apollo));
app.get('/', (_req, res) => void res.send('hello'));
httpServer.listen(port);
