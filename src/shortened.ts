/** The text cut to `longest` characters, for people; the last one then is an ellipsis. No character is cut in half. */
export function shortened(text: string, longest: number): string {
  return text.length > longest ? `${text.slice(0, longest - 1).replace(/[\ud800-\udbff]$/, '')}…` : text;
}
