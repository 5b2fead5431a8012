/** How a language's refusals begin. Matched against the start of an answer: lower case, straight quotes, no Markdown. */
interface RefusalOpening {
  readonly language: string;
  /** An apology that may stand before; alone it is none: answers excuse themselves, too. */
  readonly sorry: RegExp;
  /** Not being able or willing to do what was asked. */
  readonly unable: RegExp;
}

/** What a refusal without another word takes. Beyond it there is an explanation or an answer, and other signals judge it. */
const maxRefusal = 280;

/**
 * Openings of answers that refuse. A gate has no appeal, so it has to be right: the whole of "not able" and "help, comply,
 * answer, …" must stand at the beginning. A refusal in other words is still scored like any answer.
 */
const openings: readonly RefusalOpening[] = [
  {
    language: "English",
    sorry: /^(?:i'?m (?:very |really |so )?sorry|sorry|i apologi[sz]e|apologies|unfortunately)[,.!;:]?(?: but)?,? /u,
    unable:
      /^(?:as an ai(?: language model)?,? )?i(?:'m| am)? (?:can'?t|cannot|can not|won'?t|will not|unable to|not able to|not comfortable|must decline|have to decline|don'?t feel comfortable)(?: to)? ?(?:help|assist|comply|fulfil|answer|provid|respond|engag|continue|discuss|do (?:that|this)|creat|generat|writ|shar|support|giv)/u,
  },
  {
    language: "English, declining",
    sorry: /^(?:i'?m (?:very |really |so )?sorry|sorry|unfortunately)[,.!;:]?(?: but)?,? /u,
    unable: /^(?:i (?:must|have to) (?:respectfully )?decline|i (?:refuse|decline) to )/u,
  },
  {
    language: "German",
    sorry: /^(?:es tut mir (?:sehr )?leid|tut mir leid|entschuldigung|leider)[,.!;:]?(?: aber)?,? /u,
    unable:
      /^(?:ich kann|kann ich|das kann ich|dabei kann ich|ich darf|ich werde) (?:dir |ihnen |euch )?(?:dabei |damit |darauf |das |diese[rsnm]? (?:frage|anfrage|bitte|aufgabe) )?(?:leider )?nicht (?:weiter)?(?:helfen|beantworten|antworten|nachkommen|erfüllen|unterstützen|behilflich|erstellen|schreiben|bereitstellen)/u,
  },
  {
    language: "French",
    sorry: /^(?:je suis (?:vraiment )?désolée?|désolée?|malheureusement)[,.!;:]?(?: mais)?,? /u,
    unable:
      /^je ne (?:peux|suis pas en mesure|pourrai|suis pas capable)(?: pas)?(?: de| d')? ?(?:vous |t'|te |y )?(?:aider|répondre|fournir|assister|satisfaire|créer|générer|écrire|faire cela)/u,
  },
  {
    language: "Spanish",
    sorry: /^(?:lo siento(?: mucho)?|lamentablemente|disculpa|perdón|lo lamento)[,.!;:]?(?: pero)?,? /u,
    unable:
      /^no (?:puedo|podré|me es posible|soy capaz de) (?:ayudar|responder|proporcionar|cumplir|asistir|hacer eso|crear|generar|escribir|contestar|ofrecer)/u,
  },
  {
    language: "Italian",
    sorry: /^(?:mi dispiace|purtroppo|scusa|spiacente)[,.!;:]?(?: ma)?,? /u,
    unable:
      /^non (?:posso|sono in grado di|mi è possibile) (?:aiutar|rispondere|fornir|assister|soddisfare|creare|generare|scrivere|farlo)/u,
  },
  {
    language: "Portuguese",
    sorry: /^(?:sinto muito|desculpe|lamento|infelizmente|me desculpe)[,.!;:]?(?: mas)?,? /u,
    unable:
      /^(?:eu )?não (?:posso|consigo|sou capaz de|me é possível) (?:te |lhe |o |a )?(?:ajudar|ajudá|responder|fornecer|cumprir|auxiliar|atender|criar|gerar|escrever|fazer isso)/u,
  },
  {
    language: "Dutch",
    sorry: /^(?:het spijt me|sorry|helaas)[,.!;:]?(?: maar)?,? /u,
    unable:
      /^(?:ik kan|kan ik|daar kan ik) (?:je |u )?(?:daar |daarmee |hier |hiermee |dit |dat )?(?:helaas )?niet (?:mee )?(?:bij )?(?:helpen|beantwoorden|antwoorden|voldoen|uitvoeren)/u,
  },
  {
    language: "Russian",
    sorry: /^(?:(?:мне )?(?:очень )?жаль|извините|простите|к сожалению|прошу прощения)[,.!;:]?(?: но)?,? /u,
    unable:
      /^я не (?:могу|смогу|в состоянии|буду) (?:вам |тебе |с этим |на это |этого )?(?:помочь|помогать|ответить|отвечать|предоставить|выполнить|создать|написать|обсуждать)/u,
  },
  {
    language: "Chinese",
    sorry: /^(?:很|非常|真的)?(?:抱歉|对不起|對不起|不好意思|遗憾)[,，。.!！]?\s?(?:但是?)?[,，]?\s?/u,
    unable:
      /^(?:我|作为.{0,12}[,，]我?)?(?:无法|不能|無法|没办法|不可以)(?:为您|为你|對此|对此|向您|满足|就此)?(?:提供|回答|帮助|幫助|协助|协助您|处理|完成|满足|讨论|生成|继续)/u,
  },
  {
    language: "Japanese",
    sorry:
      /^(?:大変)?(?:申し訳(?:ありません|ございません|ないです)|すみません|ごめんなさい|残念ながら)(?:が|けど)?[、,。]?\s?/u,
    unable:
      /^.{0,40}(?:お手伝い|お答え|回答|提供|対応|お応え|ご協力|支援)(?:する)?(?:こと)?(?:は|が|を)?(?:でき(?:ません|ない|かねます)|いたしかねます)/u,
  },
  {
    language: "Korean",
    sorry:
      /^(?:정말 )?(?:죄송합니다|죄송하지만|미안합니다|미안하지만|유감스럽게도|안타깝게도)[,.!]?\s?(?:만|하지만)?[,.]?\s?/u,
    unable: /^.{0,40}(?:도와드릴|답변할|답변드릴|제공할|도움을 드릴|응할|수행할|답할) 수(?:가|는)? 없/u,
  },
];

/**
 * Whether an answer's text is a refusal and nothing else: short, on one paragraph, without code, lists or quotations, and
 * opening as refusals do. An apology may stand before it.
 */
export function isRefusal(text: string): boolean {
  const trimmed = text.trim();
  if (trimmed.length > maxRefusal || /\n\s*\n|```|^\s*(?:[-*•]|\d+[.)])\s/mu.test(trimmed)) return false;
  const plain = trimmed
    .toLowerCase()
    .replace(/[’‘`´]/gu, "'")
    .replace(/[*_]/gu, "")
    .replace(/\s+/gu, " ");
  if (/["“”„«»「『]|: \S/u.test(plain)) return false;
  return openings.some(({ sorry, unable }) => unable.test(plain) || unable.test(plain.replace(sorry, "")));
}
