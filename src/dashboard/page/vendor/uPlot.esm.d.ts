// The file itself is served from the uplot package; a browser knows no package names.
export { default } from 'uplot';
