/** Names as they are compared where the server is not asked. It does the same, for more alphabets: search_key in chat/accounts/usernames.py. */

// Letters that Unicode does not take apart, behind what people type for them.
const BASE_LETTERS = new Map(`a ɐɑɒⱥ
ae æ
b ƀƃɓʙ
c ƈȼɕʗ
d ðđƌȡɖɗ
db ȸ
dz ʣʤʥ
e ǝɇɘəɚɛɜɝɞʚ
f ƒ
fn ʩ
g ǥɠɡɢɣʛ
h ħɥɦʜʮʯ
i ɨɩɪ
j ȷɉɟʄʝ
k ĸƙʞ
l łƚȴɫɬɭʟ
ll ỻ
ls ʪ
lz ʫ
m ɯɰɱ
n ŋƞȵɲɳɴ
o øɔɵ
oe œ
p ƥ
q ɋʠ
qp ȹ
r ɍɹɺɻɼɽɾʀʁ
s ȿʂʃʅʆẜẝ
t ŧƫƭȶʇʈⱦ
tc ʨ
th þ
ts ƾʦʧ
u ʊ
v ʋʌỽ
w ƿʍ
y ƴɏʎʏỿ
z ƶƺȥɀʐʑʒʓ
zw ƍ
ʔ ʡ
ꜧ ɧ
ꞷ ɷ
а ә
г ґғҕ
е є
ж җ
и і
к қҝҟҡ
н ңӈ
о ө
у үұ
х ҳ
ч ҷҹ
ا ٱ
ك کڪ
ه ةہھە
ي یىېے`.split('\n').flatMap((line) => {
    const [base, letters] = line.split(' ');
    return [...letters].map((letter) => [letter, base]);
  }));

// Apostrophes, quotation marks and middle dots, which some people leave out.
const SIGN = String.raw`['"\x60:·\u02b9-\u02c1ˈˊˋːˮ‘’‛“”‟′″‵‶՚׳״•‧∙⋅・･]`;
const SIGN_IN_WORD = new RegExp(String.raw`(?<=[\p{L}\p{N}])${SIGN}|${SIGN}(?=[\p{L}\p{N}])`, 'gu');

/** A name in base letters: without case, accents and apostrophes. */
export function folded(name) {
  const parts = name.replaceAll('´', '\'').normalize('NFKD').toLowerCase();
  const small = parts.toUpperCase().toLowerCase().normalize('NFKD'); // ß as ss, ı as i
  const letters = small.replace(/[\p{M}ـ]/gu, '').replaceAll('ς', 'σ').replace(SIGN_IN_WORD, '');
  return letters.replace(/[^\0-\x7f]/gu, (letter) => BASE_LETTERS.get(letter) ?? letter);
}
