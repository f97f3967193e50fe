"""Brazilian Portuguese."""

from __future__ import annotations

from typing import Final

from statuspage.messages.checks.phrases import Phrases

PHRASES: Final = Phrases(
    apology=r"desculpas?|desculpem|desculpe|lamentamos|sentimos muito|perdão|pedimos desculpas",
    hedge=(
        r"em breve|logo(?! que)|o mais rápido possível|o quanto antes|assim que possível|"
        r"esperamos que|tomara|acreditamos|achamos|pensamos|supomos|suspeitamos|talvez|"
        r"provavelmente|possivelmente|parece(?:m)?(?: que| ser)?|ao que parece|aparentemente|"
        r"pode ser que|mais ou menos|de certa forma|um pouco|ligeiramente|"
        r"pequen[oa]s? (?:problema|falha|contratempo|instabilidade)s?|em algum momento|"
        r"por algum tempo|eventuais"
    ),
    blame=(
        r"(?:por )?culpa (?:de|do|da|nossa|sua)|(?:erro|falha) humana?o?|"
        r"erro d[eo] (?:usuário|operador|nosso|um|fornecedor|funcionário|técnico)|"
        r"(?:é|são|foi|foram) responsáve(?:l|is) (?:por|pel[oa])|"
        r"(?:nosso|um|o|nossos|os) (?:\w{1,30} )?(?:fornecedor|parceiro|desenvolvedor|técnico|"
        r"funcionário|colega|estagiário|provedor)(?:es|s)? (?:\w{1,30} ){0,2}(?:falhou|falharam|"
        r"esqueceu|causou|provocou|cometeu|quebrou)|não é (?:nossa )?culpa|alhei[oa]s? à nossa "
        r"vontade|fora do nosso controle|você deveria ter|seu (?:próprio )?erro"
    ),
    cause=(
        r"causad[oa]s? por|devido (?:a|à|ao)|por causa d[eoa]|provocad[oa]s? por|"
        r"a causa (?:é|foi|era)|como resultado d[eoa]|se deve(?:m)? a|deve-se a|"
        r"originad[oa]s? (?:por|em)|em razão d[eoa]|em função d[eoa]|decorrente d[eoa]"
    ),
    zone=r"horário (?:de [A-Z]\w{1,30}|local)|BRT|hora local|seu horário",
    ahead=(
        r"será|serão|estará|deve(?:rá|m|rão)?|esperamos|prevemos|previst[oa]s?|estimamos|vamos|"
        r"próxim[oa] (?:atualização|mensagem|aviso|informação)|informaremos|publicaremos|"
        r"atualizaremos|voltaremos|restabeleceremos|planejamos|vai"
    ),
    before_time=r"até(?: as| às)?|às|as|por volta das|antes das|a partir das|das|depois das",
    within=(
        r"(?:em|dentro de|n[oa]s?)(?: próxim[oa]s?| cerca de| aproximadamente| menos de)?"
        r"(?: \d{1,3}| uma?| dois| duas| três| quatro| cinco| dez| quinze| vinte| trinta|"
        r" alguns| algumas| poucos| poucas)?(?:(?: a |-|–)\d{1,3})? (?:minutos?|horas?|dias?)|"
        r"a cada \d{1,3} (?:minutos|horas)|hoje à (?:tarde|noite)|amanhã|até o fim do dia"
    ),
    next_update=(
        r"próxim[oa] (?:atualização|mensagem|aviso|informação|comunicado)|nova atualização|"
        r"(?:informaremos|publicaremos|atualizaremos|voltaremos)(?: \w{1,30}){0,6} "
        r"(?:até|às|em|dentro|a cada|por volta)"
    ),
    began=r"desde(?: as| às)?|a partir das|começou|iniciou|início",
    over=r"até(?: as| às)?|às|terminou|resolvid[oa]|restabelecid[oa]|corrigid[oa]|encerrad[oa]",
    ongoing=(
        r"estamos (?:\w{1,20} )?(?:investigando|trabalhando|voltando|restaurando|revertendo|"
        r"corrigindo|adicionando|reparando)|(?:está|estão) (?:atualmente |ainda )?"
        r"(?:falhando|fora do ar|indisponíve(?:l|is)|lent[oa]s?|instáve(?:l|is))|"
        r"falham|terminam em|levam até"
    ),
    supposed="se|quando|caso",
    placeholder=r"(?:inserir|preencher|completar)(?: \w{1,30})? aqui|a (?:confirmar|definir)",
    shouted=(
        r"URGENTE|IMPORTANTE|ATENÇÃO|ALERTA|AVISO|IMEDIATAMENTE|NÃO|TODOS|TUDO|NUNCA|AGORA|"
        r"RESOLVIDO|CRÍTICO|QUEDA|MUITO"
    ),
    jargon={
        "rollback": "retorno à versão anterior", "failover": "troca para um sistema reserva",
        "hotfix": "correção", "root cause": "causa", "backend": "nossos sistemas",
        "latência": "lentidão", "cluster": "", "mitigação": "medida", "upstream": "",
        "timeouts": "solicitações sem resposta",
        "deploy": "nova versão", "downtime": "indisponibilidade",
    },
)  # fmt: skip
