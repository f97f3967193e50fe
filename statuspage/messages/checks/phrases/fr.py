"""French."""

from __future__ import annotations

from typing import Final

from statuspage.messages.checks.phrases import Phrases

PHRASES: Final = Phrases(
    apology=r"excuses?|excuser|désolée?s?|regrettons|navrée?s?|pardon",
    hedge=(
        r"bientôt|sous peu|prochainement|dans les (?:meilleurs|plus brefs) délais|"
        r"dès que possible|au plus vite|nous espérons|espérons|nous pensons|nous croyons|"
        r"nous supposons|peut-être|probablement|sans doute|éventuellement|"
        r"il semble(?:rait)?|semblent?|il se peut|apparemment|plus ou moins|en quelque sorte|"
        r"un peu|légèrement|petits? (?:souci|incident|couac|bug)s?|normalement, tout|"
        r"dans un certain temps|à un moment donné"
    ),
    blame=(
        r"(?:la |par la )?faute (?:de|du|d['’])|à cause d['’]une erreur de|erreur humaine|"
        r"erreur (?:de|d['’]un|d['’]une) (?:notre|nos|l['’]|un|une|utilisateur|"
        r"manipulation|\w{1,30}eur)|"
        r"(?:est|sont|était|étaient) responsables? (?:de|du|des)|"
        r"(?:notre|un|le|nos|les) (?:\w{1,30} )?(?:prestataire|fournisseur|hébergeur|partenaire|"
        r"sous-traitant|développeur|technicien|collègue|stagiaire)s? (?:\w{1,30} ){0,2}(?:a|ont) "
        r"(?:\w{1,30} ){0,2}(?:oublié|provoqué|causé|échoué|commis|négligé)|"
        r"pas (?:de )?notre faute|indépendante?s? de notre volonté|hors de notre contrôle|"
        r"vous auriez dû|votre (?:propre )?erreur"
    ),
    cause=(
        r"causée?s? par|à cause (?:de|du|des|d['’])|en raison (?:de|du|des|d['’])|"
        r"due?s? (?:à|au|aux)|provoquée?s? par|la cause (?:est|était|en est)|suite (?:à|au|aux)|"
        r"résulte (?:de|du|d['’])|liée?s? (?:à|au|aux)|vient (?:de|du|d['’]une?)|"
        r"provient (?:de|du|d['’])|dû à"
    ),
    zone=r"heures? (?:de|d['’])\s?[A-Z]\w{1,30}|heure locale|votre heure|HEC|HNEC|HAEC",
    ahead=(
        r"sera|seront|devrai(?:t|ent)|prévoyons|prévue?s?|prévoit|attendons|estimons|allons|"
        r"comptons|prochain(?:e)? (?:point|mise à jour|message|communication)|reviendrons|"
        r"publierons|donnerons|informerons|rétablirons|va|vont"
    ),
    before_time=r"avant|à|vers|jusqu['’]à|d['’]ici|dès|après|de|au plus tard",
    within=(
        r"(?:dans|d['’]ici|sous)(?: les| l['’]| la)?(?: prochaines?| environ| moins de)?"
        r"(?: \d{1,3}| une?| deux| trois| quatre| cinq| dix| quinze| vingt| trente| quelques)?"
        r"(?:(?: à |-|–)\d{1,3})? ?(?:prochaines? )?(?:minutes?|min|heures?|jours?)|"
        r"toutes les \d{1,3} (?:minutes|heures)|ce soir|demain|cet après-midi|"
        r"d['’]ici la fin de (?:la journée|la semaine)|en fin de journée"
    ),
    next_update=(
        r"prochaine? (?:point|mise à jour|message|communication|information)|"
        r"(?:nouvelle mise à jour|nouveau point)|(?:reviendrons|publierons|donnerons|informerons|"
        r"tiendrons)(?: [\w’']{1,30}){0,6} (?:avant|à|vers|d['’]ici|dans|toutes)"
    ),
    began=r"depuis|à partir de|dès|commencé|débuté|début",
    over=r"jusqu['’]à|à|terminée?|résolue?|rétablie?|corrigée?",
    ongoing=(
        r"nous (?:enquêtons|analysons|travaillons|rétablissons|corrigeons|ajoutons|recherchons)|"
        r"(?:est|sont) (?:actuellement|toujours|encore) (?:\w{1,20} )?(?:indisponibles?|"
        r"perturbée?s?|lente?s?|en panne|inaccessibles?)|"
        r"(?:est|sont) (?:indisponibles?|inaccessibles?)|"
        r"échouent|se terminent? par|met(?:tent)? jusqu"
    ),
    supposed=r"si|s['’]ils?|lorsque|lorsqu['’]\w{1,20}|quand",
    placeholder=r"(?:insérer|compléter|remplir) ici|à (?:compléter|préciser)",
    shouted=(
        r"URGENT|IMPORTANT|ATTENTION|ALERTE|PANNE|IMMÉDIATEMENT|PAS|TOUS|TOUT|JAMAIS|MAINTENANT|"
        r"RÉSOLU|CRITIQUE|TRÈS"
    ),
    jargon={
        "rollback": "retour à la version précédente", "failover": "bascule sur un système de "
        "secours", "hotfix": "correctif", "root cause": "la cause", "backend": "nos systèmes",
        "latence": "lenteur", "cluster": "", "mitigation": "mesure", "timeouts": "délais dépassés",
        "déploiement": "nouvelle version", "upstream": "",
    },
)  # fmt: skip
