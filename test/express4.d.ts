/** Express 4, which most apps run. What the tests use of it has the types of Express 5. */
declare module 'express4' {
  import express = require('express');
  export = express;
}
