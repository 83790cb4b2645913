// Dashboards: the list, or the one that the address names.

import { renderBoard } from "../dashboards/board.js";
import { renderList } from "../dashboards/list.js";

export function render(container, context, params) {
    return params.id ? renderBoard(container, context, params) : renderList(container, context);
}
