/** Types of uPlot. The browser gets the file of the package, since it cannot resolve package names. */
export { default } from 'uplot';
