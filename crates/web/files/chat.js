import{a as r}from"./chat-chunk-OAIIZZF3.js";import{r as e}from"./chat-chunk-UWKOPLHP.js";e(globalThis,r);
