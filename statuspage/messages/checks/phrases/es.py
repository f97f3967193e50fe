"""Spanish."""

from __future__ import annotations

from typing import Final

from statuspage.messages.checks.phrases import Phrases

PHRASES: Final = Phrases(
    apology=r"disculpas?|disculpen|lamentamos|sentimos|perdón|perdonen",
    hedge=(
        r"pronto|en breve|próximamente|a la mayor brevedad|lo antes posible|cuanto antes|"
        r"esperamos que|ojalá|creemos|pensamos|suponemos|sospechamos|quizás?|tal vez|"
        r"probablemente|posiblemente|seguramente|parece(?:n)?(?: que| ser)?|"
        r"al parecer|aparentemente|puede que|más o menos|de alguna manera|un poco|ligeramente|"
        r"pequeñ[oa]s? (?:problema|fallo|contratiempo)s?|en algún momento|durante un tiempo"
    ),
    blame=(
        r"(?:por )?culpa (?:de|del|nuestra|suya)|error humano|error del? (?:usuario|operador|"
        r"nuestro|un|una|proveedor|empleado|técnico)|"
        r"(?:es|son|fue|fueron) responsables? (?:de|del)|"
        r"(?:nuestro|un|el|nuestros|los) (?:\w{1,30} )?(?:proveedor|socio|desarrollador|técnico|"
        r"empleado|compañero|becario|subcontratista)(?:es|s)? (?:\w{1,30} ){0,2}(?:falló|fallaron|"
        r"olvidó|causó|provocó|cometió|rompió)|no es (?:nuestra )?culpa|ajen[oa]s? a "
        r"(?:nuestra voluntad|nosotros)|fuera de nuestro control|usted debería haber|"
        r"su (?:propio )?error"
    ),
    cause=(
        r"causad[oa]s? por|debido a|a causa de|por culpa de|provocad[oa]s? por|"
        r"la causa (?:es|fue|era|ha sido)|como resultado de|se debe(?:n)? a|se debió a|"
        r"originad[oa]s? (?:por|en)|motivad[oa]s? por|a raíz de"
    ),
    zone=r"hora (?:peninsular|local|de [A-Z]\w{1,30}|central|del Este|española)|su hora",
    ahead=(
        r"será|serán|estará|debería(?:n)?|esperamos|prevemos|previst[oa]s?|estimamos|vamos a|"
        r"próxim[oa] (?:actualización|mensaje|aviso|información)|informaremos|publicaremos|"
        r"actualizaremos|volveremos|restableceremos|planeamos|va a"
    ),
    before_time=r"antes de(?: las)?|a las|a la|hacia las|hasta las|sobre las|desde las|para las|de",
    within=(
        r"(?:en|dentro de)(?: las?| los?| el)?(?: próxim[oa]s?| unos| unas| aproximadamente|"
        r" menos de)?(?: \d{1,3}| una?| dos| tres| cuatro| cinco| diez| quince| veinte| treinta|"
        r" unos| unas| pocas| pocos)?(?:(?: a |-|–)\d{1,3})? (?:minutos?|horas?|días?)|"
        r"cada \d{1,3} (?:minutos|horas)|esta (?:tarde|noche)|mañana|antes de que acabe el día|"
        r"al final del día"
    ),
    next_update=(
        r"próxim[oa] (?:actualización|mensaje|aviso|información|comunicado)|nueva actualización|"
        r"(?:informaremos|publicaremos|actualizaremos|volveremos)(?: \w{1,30}){0,6} "
        r"(?:antes|a las|en|dentro|cada|hacia)"
    ),
    began=r"desde(?: las)?|a partir de(?: las)?|comenzó|empezó|inicio",
    over=r"hasta(?: las)?|a las|terminó|finalizó|resuelt[oa]|restablecid[oa]|solucionad[oa]",
    ongoing=(
        r"estamos (?:\w{1,20} )?(?:investigando|trabajando|volviendo|restaurando|revirtiendo|"
        r"corrigiendo|añadiendo|reparando)|(?:está|están) (?:actualmente |todavía |aún )?"
        r"(?:fallando|caídos?|caídas?|interrumpid[oa]s?)|no (?:está|están) disponibles?|"
        r"fallan|terminan con|tardan hasta"
    ),
    supposed="si|cuando",
    placeholder=(
        r"(?:insertar|rellenar|completar)(?: \w{1,30})? aquí|por (?:confirmar|determinar|definir)"
    ),
    shouted=(
        r"URGENTE|IMPORTANTE|ATENCIÓN|ALERTA|AVISO|INMEDIATAMENTE|NO|TODOS|TODO|NUNCA|AHORA|"
        r"RESUELTO|CRÍTICO|CAÍDA|MUY"
    ),
    jargon={
        "rollback": "volver a la versión anterior", "failover": "cambio a un sistema de reserva",
        "hotfix": "corrección", "root cause": "causa", "backend": "nuestros sistemas",
        "latencia": "lentitud", "clúster": "", "cluster": "", "mitigación": "medida",
        "timeouts": "solicitudes sin respuesta", "despliegue": "nueva versión", "upstream": "",
    },
)  # fmt: skip
