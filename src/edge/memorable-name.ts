/**
 * Names for endpoints that nobody named: easy to say, hard to guess by accident.
 */
import { randomInt } from 'node:crypto';

const qualities = (
  'able amber ample bold brave brief bright brisk calm clear clever cosy crisp daring deep eager early fair fast fine ' +
  'fond fresh gentle glad golden good grand green happy honest ideal jolly keen kind large light lively loyal lucky ' +
  'mellow merry mild modern neat nice noble odd open plain polite proud pure quick quiet rapid rare ready real rich ' +
  'royal rural safe sharp shiny silent silver simple smart smooth snug soft solid sound spare still sunny super sure ' +
  'sweet swift tall tame tidy tiny true vast vivid warm wide wild wise witty young zesty'
).split(' ');

const animals = (
  'ant badger bear beaver bee bison boar camel cat cobra condor coral crab crane crow deer dingo dolphin dove duck ' +
  'eagle eel egret elk emu falcon fawn ferret finch fox frog gecko gibbon giraffe gnu goat goose hare hawk hedgehog ' +
  'heron hippo horse ibex ibis iguana impala jackal jaguar kiwi koala koi lark lemur lion llama lynx magpie marmot ' +
  'mole moose moth mouse newt ocelot okapi orca oryx osprey otter owl panda parrot penguin perch pika plover puffin ' +
  'puma quail rabbit raven robin salmon seal shark sheep shrew skunk sloth snail sparrow squid stork swan tapir ' +
  'tiger toad trout turtle viper vole walrus wasp weasel whale wolf wombat wren yak zebra'
).split(' ');

/** Returns a name such as `swift-otter-417`: about 10 million possibilities. */
export function memorableName(): string {
  return `${pick(qualities)}-${pick(animals)}-${randomInt(100, 1000)}`;
}

function pick(words: readonly string[]): string {
  return words[randomInt(words.length)] ?? 'giraffe';
}
