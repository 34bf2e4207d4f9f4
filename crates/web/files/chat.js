import{a as r}from"./chat-chunk-CGU7GM6W.js";import{r as e}from"./chat-chunk-UWKOPLHP.js";e(globalThis,r);
