/** `npm run docs`: writes what of the documentation is made. */
import { writeFileSync } from 'node:fs';
import { existing, generated, root } from './generated.ts';

for (const { file, content } of generated) {
  const text = await content();
  if (text === existing(file)) continue;
  writeFileSync(new URL(file, root), text);
  console.log(file);
}
