/** Generates completion scripts for shells from the commands themselves. */
import type { Command } from 'commander';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

interface Words {
  /** The commands before the word, such as `maintenance on`; empty for the first word. */
  readonly path: string;
  /** Subcommands, and the choices of arguments. */
  readonly commands: readonly { name: string; description: string }[];
  readonly options: readonly { name: string; description: string }[];
}

function wordsOf(command: Command, path: readonly string[] = []): Words[] {
  const help = command.createHelp();
  const commands = help.visibleCommands(command).map((sub) => ({ name: sub.name(), description: sub.description() }));
  const options = help.visibleOptions(command).flatMap((option) => {
    return option.long === undefined ? [] : [{ name: option.long, description: option.description }];
  });
  const choices = command.registeredArguments.flatMap(({ argChoices = [], description }) =>
    argChoices.map((name) => ({ name, description })),
  );
  const own = {
    path: path.join(' '),
    commands: [...commands.filter(({ name }) => name !== 'help'), ...choices],
    options,
  };
  return [own, ...command.commands.flatMap((sub) => wordsOf(sub, [...path, sub.name()]))];
}

export function completionScript(program: Command, shell: Shell): string {
  const words = wordsOf(program);
  switch (shell) {
    case 'bash':
      return bash(words, 'complete -o default -F _quiesce quiesce');
    case 'zsh':
      // zsh can run the functions of bash.
      return `autoload -Uz bashcompinit && bashcompinit\n${bash(words, 'complete -o default -F _quiesce quiesce')}`;
    case 'fish':
      return fish(words);
  }
}

function bash(words: readonly Words[], register: string): string {
  const cases = words.map(({ path, commands, options }) => {
    const all = [...commands, ...options].map(({ name }) => name).join(' ');
    return `    '${path}') words='${all}' ;;`;
  });
  return `# quiesce completion: eval "$(quiesce completion bash)"
_quiesce() {
  local word path='' words
  local current="\${COMP_WORDS[COMP_CWORD]}"
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$path $word" in
${words
  .filter(({ path }) => path !== '')
  .map(({ path }) => `      '${path.includes(' ') ? path : ` ${path}`}') path='${path}' ;;`)
  .join('\n')}
    esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
${register}
`;
}

function fish(words: readonly Words[]): string {
  const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const lines = words.flatMap(({ path, commands, options }) => {
    const names = path === '' ? [] : path.split(' ');
    const inside =
      names.length === 0
        ? '__fish_use_subcommand'
        : names.map((name) => `__fish_seen_subcommand_from ${name}`).join('; and ');
    const none =
      commands.length === 0 || names.length === 0
        ? ''
        : `; and not __fish_seen_subcommand_from ${commands.map(({ name }) => name).join(' ')}`;
    return [
      ...commands.map(
        ({ name, description }) => `complete -c quiesce -f -n '${inside}${none}' -a ${name} -d ${quoted(description)}`,
      ),
      ...options.map(
        ({ name, description }) => `complete -c quiesce -n '${inside}' -l ${name.slice(2)} -d ${quoted(description)}`,
      ),
    ];
  });
  return `# quiesce completion: quiesce completion fish | source\n${lines.join('\n')}\n`;
}
