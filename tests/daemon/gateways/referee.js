// Microsoft's own reader of Adaptive Cards as referee of ours. Reads a JSON list of cards from standard input and writes
// for each what it has to say against it.
const path = require('path');
const { AdaptiveCard, SerializationContext } = require(path.join(process.argv[2], 'adaptivecards/dist/adaptivecards.js'));
const cards = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const judged = cards.map((source) => {
  const [card, context] = [new AdaptiveCard(), new SerializationContext()];
  card.parse(source, context);
  const said = Array.from({ length: context.eventCount }, (_, n) => context.getEventAt(n).message);
  return said.concat(card.validateProperties().validationEvents.map((event) => event.message));
});
process.stdout.write(JSON.stringify(judged));
