import 'reflect-metadata';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { port, tidy } from './common.mjs';

class Hello {
  get() {
    return 'hello';
  }
}
Get()(Hello.prototype, 'get', Object.getOwnPropertyDescriptor(Hello.prototype, 'get'));
Controller()(Hello);
class Database {
  onApplicationShutdown() {
    return tidy();
  }
}
class Site {}
Module({ controllers: [Hello], providers: [Database] })(Site);

const app = await NestFactory.create(Site, { logger: false });
app.enableShutdownHooks();
await app.listen(port);
