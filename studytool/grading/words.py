"""Word lists of the grader: plain English, no subject matter."""

from __future__ import annotations


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Words that carry grammar rather than content.
FUNCTION = _set("""
    a an the this that these those some any each every all both either neither no none such another
    i me my mine we us our you your he him his she her it its they them their one ones who whom
    whose which what when where why how there here itself themselves
    am is are was were be been being do does did doing done has have had having can could will would
    shall should may might must ought cannot
    of to in on at by for from with without within into onto over under above below between among
    through during before after against about as than like per via across along around near off out
    up down toward towards upon until till since because although though while whereas if unless
    whether and or but nor so yet then thus hence therefore however also too very just only even
    still already again ever never not more most less least much many few several quite rather
    almost nearly really basically actually well okay ok um uh hmm er yeah yes no maybe perhaps
    simply exactly together instead otherwise else now always often sometimes usually
    i'm i'd i've it's that's there's let's what's they're we're you're they'd we'd you'd we've
    they've you've he's she's who's isn't aren't wasn't weren't don't doesn't didn't hasn't haven't
    hadn't can't couldn't won't wouldn't shouldn't mustn't needn't ain't dont doesnt isnt cant wont
    s t re ve ll d m
""")

#: Verbs that mark a statement. Regular forms in -ed and -ing count as well.
VERBS = _set("""
    am is are was were be been being do does did has have had can could will would shall should may
    might must cannot isn't aren't wasn't weren't don't doesn't didn't hasn't haven't can't couldn't
    won't wouldn't shouldn't it's that's there's they're we're you're isnt dont doesnt cant
    get gets got give gives gave given go goes make makes made take takes took taken keep keeps kept
    let lets put puts say says said see sees seen show shows shown know knows known think thinks
    mean means meant need needs use uses want wants become becomes became come comes came happen
    happens help helps hurt hurts cost costs hold holds held lose loses lost win wins won run runs
    ran start starts stop stops grow grows grew fall falls fell rise rises rose drop drops move
    moves turn turns change changes depend depends learn learns train trains predict predicts
    compute computes compare compares measure measures count counts add adds multiply divides divide
    subtract sum sums scale scales normalise normalises normalize normalizes reduce reduces
    increase increases decrease decreases improve improves work works fail fails break breaks cause
    causes lead leads push pushes pull pulls share shares look looks find finds found choose chooses
    chose pick picks check checks print send sends read reads write writes wrote set sets sit sits
    stay stays tell tells ask asks try tries allow allows avoid avoids prevent prevents require
    requires produce produces return returns map maps weigh weighs ignore ignores treat treats
    carry carries remain remains contain contains include includes equal equals exceed exceeds
    dominate dominates shrink shrinks shrank vanish vanishes explode explodes saturate saturates
    collapse collapses separate separates penalise penalises reward rewards encode encodes decode
    decodes sample samples apply applies match matches mask masks attend attends store stores
    build builds built follow follows differ differs vary varies converge converges diverges
    cancel cancels belong belongs exist exists appear appears remove removes replace replaces
    create creates generate generates represent represents split splits merge merges pay pays beat
    beats spread spreads bound bounds limit limits force forces rely relies cover covers capture
    captures fit fits overfit overfits explain explains assume assumes
""")

#: Words that deny the clause they stand in.
DENIALS = _set("""
    not never no none nobody nothing neither nor cannot hardly barely scarcely isn't aren't wasn't
    weren't don't doesn't didn't hasn't haven't hadn't can't couldn't won't wouldn't shouldn't
    mustn't needn't ain't dont doesnt didnt isnt arent cant wont wasnt
""")

#: Words that leave no exception; mistakes are often voiced with them.
ABSOLUTES = _set("""
    always never only all every any everything nothing none guarantee guarantees guaranteed exactly
    simply just identical perfect perfectly completely entirely totally fully proves proven
    impossible optimal best worst anything everyone same eliminates obviously certain
""")

#: What calls a statement untrue.
UNTRUE = (
    r"(?:myth|misconception|misunderstanding|mistake|error|wrong|false|untrue|incorrect|fallacy|"
    r"misleading|nonsense|mistaken)"
)

#: Opposites: a clause with the one where the key point has the other says the contrary.
_PAIRS = """
    high/low higher/lower highest/lowest increase/decrease increases/decreases raise/lower
    rise/fall rises/falls grow/shrink grows/shrinks large/small larger/smaller big/small
    bigger/smaller more/less more/fewer most/least many/few fast/slow faster/slower strong/weak
    stronger/weaker sharp/flat sharper/flatter sharpen/flatten sharpens/flattens peaked/flat
    hard/easy harder/easier better/worse best/worst good/bad cheap/expensive cheaper/dearer
    before/after first/last early/late earlier/later left/right forward/backward above/below
    over/under up/down maximum/minimum maximise/minimise always/never all/none same/different
    equal/unequal similar/dissimilar fixed/learned constant/variable frozen/trained shared/separate
    linear/nonlinear symmetric/asymmetric local/global sparse/dense dependent/independent
    frequent/rare common/rare frequent/infrequent long/short longer/shorter wide/narrow
    deep/shallow near/far positive/negative include/exclude add/remove allow/prevent accept/reject
    gain/lose win/lose attract/repel pull/push rows/columns row/column numerator/denominator
    multiply/divide multiplied/divided multiplication/division precision/recall bias/variance
    overfit/underfit overfitting/underfitting underestimate/overestimate upper/lower
    necessary/unnecessary possible/impossible stable/unstable finite/infinite known/unknown
    labelled/unlabelled supervised/unsupervised discrete/continuous static/contextual
    absolute/relative encoder/decoder generative/discriminative unidirectional/bidirectional
    bounded/unbounded cheap/costly narrow/broad simple/complex exact/approximate input/output
    keep/discard speed/slow helps/hurts improve/worsen improves/worsens
"""
OPPOSITES: tuple[tuple[str, str], ...] = tuple(
    (left, right) for left, _, right in (pair.partition("/") for pair in _PAIRS.split())
)
